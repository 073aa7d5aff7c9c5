// @ts-check

/** Version of the SDK; the server notes it in its log. */
export const VERSION = '0.1.0';
