/** Of this process: no other has it, so that a counter does for the rest. */
const PREFIX = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
let made = 0;

/** An id that no other request has, such as `5f0c2a9be1d34f67-1k`; it is no secret, and the next can be guessed. */
export function newRequestId(): string {
  return `${PREFIX}-${(++made).toString(36)}`;
}
