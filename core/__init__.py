"""Everything Stemcrate knows about audio: no HTTP, no Streamlit, no command line."""
