/**
 * Terms joined by an associative operator, in brackets so that they nest no deeper than the logarithm of their number: of a thousand
 * columns one after the other servers say that the expression is too deep.
 */
export function balanced(terms: string[], operator: string): string {
  if (terms.length <= 2) return terms.join(` ${operator} `);
  const middle = terms.length >> 1;
  return `(${balanced(terms.slice(0, middle), operator)}) ${operator} (${balanced(terms.slice(middle), operator)})`;
}
