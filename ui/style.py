"""Styles beyond Streamlit's theme. Colours derive from the text colour, so they fit both themes."""

STYLE = """
.stMainBlockContainer { max-width: 1180px; padding-top: 3.5rem; padding-bottom: 4rem; }
.sc { padding-bottom: 1rem; }
.sc-head { padding-bottom: .5rem; }
.sc-head h1 { font-size: 2.1rem; font-weight: 700; padding: 0; margin: 0; overflow-wrap: anywhere; }
.sc-head p { margin: .3rem 0 0; opacity: .78; }
.sc-lane { border-left: 4px solid var(--sc); padding: 0 0 0 .8rem; min-height: 68px;
  display: flex; flex-direction: column; justify-content: center; }
.sc-lane b { font-size: 1rem; line-height: 1.3; }
.sc-lane small { font-size: .8rem; line-height: 1.5; display: flex; flex-wrap: wrap;
  column-gap: .7rem; }
.sc-lane small span { opacity: .78; }
.sc-lane a { font-weight: 600; }
.sc-wavebox { background: color-mix(in srgb, currentColor 6%, transparent); border-radius: 8px;
  height: 68px; overflow: hidden; }
.sc-wave { width: 100%; height: 68px; display: block; }
.sc-grid { stroke: currentColor; stroke-opacity: .16; stroke-width: 1; fill: none;
  vector-effect: non-scaling-stroke; }
.sc-zero { stroke-width: 1; stroke-opacity: .8; fill: none; vector-effect: non-scaling-stroke; }
.sc-table { width: 100%; overflow-x: auto; }
.sc-table table { width: 100%; border-collapse: collapse; font-size: .92rem; }
.sc-table :is(th, td) { text-align: left; padding: .5rem .7rem; vertical-align: top; border: 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.sc-table thead th { font-size: .8rem; font-weight: 600; opacity: .75; }
.sc-table tbody th { font-weight: 600; white-space: nowrap; }
.sc-sure { white-space: nowrap; }
.sc-meter { display: inline-block; width: 72px; height: 7px; border-radius: 4px; overflow: hidden;
  background: color-mix(in srgb, currentColor 14%, transparent); margin-right: .5rem; }
.sc-meter i { display: block; height: 100%; background: #7950f2; }
.sc-set { list-style: none; margin: 0; padding: 0; }
.sc-set li { margin: 0; padding: 0; }
.sc-song { display: flex; gap: .7rem; align-items: center; padding: .45rem .7rem; flex-wrap: wrap;
  border-radius: 8px; background: color-mix(in srgb, currentColor 6%, transparent); }
.sc-song .sc-place { font-weight: 700; opacity: .7; min-width: 1.2rem; }
.sc-song .sc-title { flex: 1 1 12rem; overflow-wrap: anywhere; }
.sc-chip { border-radius: 6px; padding: .1rem .5rem; font-size: .8rem; font-weight: 600;
  white-space: nowrap; background: color-mix(in srgb, currentColor 9%, transparent); }
.sc-chip[style] { background: color-mix(in srgb, var(--sc) 38%, transparent); }
.sc-mix { display: flex; gap: .6rem; padding: .35rem .7rem .35rem 2.1rem; font-size: .84rem;
  align-items: baseline; }
.sc-mix span:last-child { opacity: .82; }
.sc-stages { list-style: none; margin: .4rem 0 0; padding: 0; display: flex; flex-wrap: wrap;
  gap: .35rem; }
.sc-stages li { margin: 0; padding: .18rem .6rem; border-radius: 99px; font-size: .8rem;
  border: 1px solid color-mix(in srgb, currentColor 22%, transparent); white-space: nowrap; }
.sc-stages [data-state=completed] { background: color-mix(in srgb, #40c057 22%, transparent);
  border-color: transparent; }
.sc-stages [data-state=running] { background: color-mix(in srgb, #7950f2 30%, transparent);
  border-color: #7950f2; font-weight: 600; }
.sc-stages [data-state=failed] { background: color-mix(in srgb, #fa5252 26%, transparent);
  border-color: transparent; }
.sc-stages :is([data-state=pending], [data-state=skipped], [data-state=cancelled]) { opacity: .72; }
.sc-wheel { width: 100%; max-width: 340px; display: block; margin: 0 auto; }
.sc-wheel text { text-anchor: middle; fill: currentColor; }
.sc-wheel-code { font-size: 11px; font-weight: 700; opacity: .75; }
.sc-wheel-note { font-size: 7.5px; font-weight: 400; }
.sc-wheel .sc-used { opacity: 1; fill: #14161a; }
.sc-wheel-big { font-size: 24px; font-weight: 700; }
.sc-wheel-small { font-size: 10px; opacity: .75; }
.sc-good, .sc-rough { fill: none; stroke: #2f9e44; stroke-width: 3; stroke-linecap: round; }
.sc-rough { stroke: #e8590c; stroke-dasharray: 2 6; }
.sc-wheel-dot { fill: #212529; stroke: #ffffff; stroke-width: 1.5; }
.sc-wheel .sc-wheel-place { fill: #ffffff; font-size: 8.5px; font-weight: 700; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4.4rem 1rem 3rem; }
  .sc-lane { min-height: 0; }
  .sc-head h1 { font-size: 1.6rem; }
  .sc-table table { font-size: .82rem; }
  .sc-table :is(th, td) { padding: .4rem .35rem; }
  .sc-table tbody th { white-space: normal; }
  .sc-meter { width: 40px; }
}
"""
