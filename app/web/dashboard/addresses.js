/** Which page an address behind the # names. */

const IDENTIFIER = /^[A-Za-z0-9][\w.-]*$/; // as the API has them: safe in any path

/** Return the page whose path fits, and what stands for its parameters. */
export function matching(pages, path) {
  const parts = path.split("/").filter(Boolean);
  for (const page of pages) {
    const names = page.path.split("/").filter(Boolean);
    const fits = (name, i) => (name.startsWith(":") ? IDENTIFIER.test(parts[i]) : name === parts[i]);
    if (names.length !== parts.length || !names.every(fits)) continue;
    const params = names.flatMap((name, i) => (name.startsWith(":") ? [[name.slice(1), parts[i]]] : []));
    return { page, params: Object.fromEntries(params) };
  }
  return null;
}
