import { distance } from "fastest-levenshtein";

/** The known name that somebody most likely meant, or none when no name is near. Case and what joins the words do not count. */
export function nearestName(written: string, known: Iterable<string>): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[-_.\s]/g, "");
  const meant = plain(written);
  // A third of it wrong is another word, and so is a short one with two letters wrong.
  const most = meant.length < 4 ? 1 : Math.max(2, Math.floor(meant.length / 3));
  const [nearest] = [...known]
    .map((name) => ({ name, edits: distance(meant, plain(name)) }))
    .filter(({ edits }) => edits <= most && edits < meant.length)
    .sort((a, b) => a.edits - b.edits);
  return nearest?.name;
}
