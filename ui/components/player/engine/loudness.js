/** Equal loudness for A/B: the gain at which the original is as loud as the mix. */

/** Below this, the mix counts as silent and the original isn't lowered any further. */
const LEAST_RATIO = 1e-3;

/**
 * Return the linear gain for the original.
 *
 * For the untouched mix it is exact: the difference of the two integrated loudnesses. Faders, mutes
 * and solos change it by the energy that the lanes contribute, taking them as uncorrelated.
 *
 * @param {Record<string, number>} heard linear gain of each lane in the mix, by label
 */
export function matchedGain(track, heard) {
  const { main_loudness_lufs: main, original_loudness_lufs: original } = track.facts;
  const stems = track.lanes.filter((lane) => lane.role === 'stem');
  const base = main !== null && original !== null ? main - original : (stems[0]?.gainDb ?? 0);
  let whole = 0;
  let mixed = 0;
  for (const lane of track.lanes) {
    const energy = lane.energy ?? 0;
    if (lane.role === 'stem') whole += energy;
    mixed += heard[lane.label] ** 2 * energy;
  }
  const ratio = whole > 0 ? Math.max(mixed / whole, LEAST_RATIO) : 1;
  return 10 ** (base / 20) * Math.sqrt(ratio);
}
