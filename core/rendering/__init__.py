"""Renders: stems mixed, or one track faded into another, to a file, block by block.

    sources     which files a request needs, with clear errors where they are missing
    mix         the plan of a mix, and its sum
    lanes       the stems with gain and pan, summed
    transition  the plan of a transition, on the grids (`grid`) and in time (`timeline`)
    sides       the tracks of a transition
    blend       the sound of a transition
    gains       gains and the pan law as formulae
    file        peaks, bit depth, encoding, tags

Planning opens no audio, so the API does it; rendering runs in a process of its own.
"""
