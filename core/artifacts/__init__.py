"""What a job leaves behind: its manifest, its files, and the store that keeps both."""
