/**
 * A name for a type, made of whatever text: letters and digits, each word with a capital; empty where there are none.
 */
export function pascalCase(text: string): string {
  const words = text.match(/[\p{L}\p{Nd}]+/gu) ?? [];
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return /^\p{Nd}/u.test(name) ? `T${name}` : name;
}
