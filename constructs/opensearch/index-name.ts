/**
 * Returns why no index can have a name that matches a pattern, with the remedy, or undefined if one can. `wildcards` are the characters
 * that stand for others: "*" in index templates, "*" and "?" in permissions.
 */
export function refusalOfIndexPattern(pattern: string, wildcards: "*" | "*?"): string | undefined {
  if (pattern.trim() === "") {
    return `no index has an empty name: write a name, or a pattern such as "logs-*"`;
  }
  if (pattern.includes(",")) {
    return "OpenSearch reads it as one name: write an entry for each name";
  }
  if (/^\/.*\/$/.test(pattern)) {
    return `regular expressions are not supported: write names, or patterns with "*", such as "logs-*"`;
  }
  if (pattern !== pattern.toLowerCase()) {
    return `index names are lowercase: write "${pattern.toLowerCase()}"`;
  }
  const forbidden = wildcards === "*" ? /[\\/?"<>|\s#:]/ : /[\\/"<>|\s#:]/;
  const [character] = forbidden.exec(pattern) ?? [];
  if (character) {
    return `index names contain no ${JSON.stringify(character)}: use lowercase letters, digits, ".", "_" and "-"${wildcards === "*" ? `, and "*" for any characters` : ""}`;
  }
  if (/^[_+-]/.test(pattern)) {
    return `index names do not start with "${pattern[0]}": start with a letter or digit`;
  }
  if (/^\.{1,2}$/.test(pattern)) {
    return `no index has this name: write a name, or a pattern such as "logs-*"`;
  }
  return Buffer.byteLength(pattern) > 255
    ? "index names have at most 255 bytes: shorten it"
    : undefined;
}

/** Whether a name can match both patterns, in which "*" stands for any characters and "?" for one. */
export function patternsOverlap(a: string, b: string): boolean {
  if (a === "" || b === "") {
    return /^\**$/.test(a + b);
  }
  if (a[0] === "*" || b[0] === "*") {
    const [star, other] = a[0] === "*" ? [a, b] : [b, a];
    return patternsOverlap(star.slice(1), other) || patternsOverlap(star, other.slice(1));
  }
  const isSame = a[0] === b[0] || a[0] === "?" || b[0] === "?";
  return isSame && patternsOverlap(a.slice(1), b.slice(1));
}
