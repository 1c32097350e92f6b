const allowed = /^[0-9A-Za-z!#$%&()+\-:;<=.>?@[\]^_{}|~]{1,32}$/;

/** True for what the server accepts as a user ID: 1 to 32 ASCII letters, digits or listed signs. */
export function isUserID(text: string): boolean {
  return allowed.test(text);
}
