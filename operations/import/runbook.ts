/** The width of a page's lines. */
const WIDTH = 120;

/** Renders the page that an imported alert needs, with what its annotations say. Its reader completes it. */
export function renderRunbook(
  alert: string,
  expr: string,
  { summary, description, runbook_url: url }: Readonly<Record<string, string | undefined>>,
): string {
  return [
    `# ${alert}`,
    "",
    "## What it means",
    "",
    wrap((description ?? summary ?? "").replace(/\s+/g, " ").trim()),
    "",
    "## Look",
    "",
    "The alert fires for every series of this query:",
    "",
    "```promql",
    expr.trim(),
    "```",
    "",
    "## Do",
    "",
    url
      ? `Follow [the runbook of the alert's authors](${url}).`
      : "Nobody has written down yet what to do. Add the steps here.",
    "",
    "## When it clears",
    "",
    "When the query returns no series.",
    "",
  ].join("\n");
}

function wrap(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines[lines.length - 1]} ${word}`.trim();
    if (line.length > WIDTH) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = line;
    }
  }
  return lines.join("\n");
}
