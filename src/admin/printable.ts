/**
 * What another program has said, on one line and without what would steer a terminal: escapes, line ends and the other
 * control characters of ECMA-48 become blanks.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
}
