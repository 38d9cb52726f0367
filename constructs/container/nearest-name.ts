import { distance } from "fastest-levenshtein";

/** Returns the known name that is closest to a misspelled one, if any is close. Ignores case and word separators. */
export function nearestName(written: string, known: Iterable<string>): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[-_.\s]/g, "");
  const meant = plain(written);
  // At most a third of the letters may differ, and one in names below four letters.
  const most = meant.length < 4 ? 1 : Math.max(2, Math.floor(meant.length / 3));
  const [nearest] = [...known]
    .map((name) => ({ name, edits: distance(meant, plain(name)) }))
    .filter(({ edits }) => edits <= most && edits < meant.length)
    .sort((a, b) => a.edits - b.edits);
  return nearest?.name;
}
