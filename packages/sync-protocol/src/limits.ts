/** The largest frame that either side accepts, in bytes: an entry is sent whole each time, with the files it shows. */
export const frameBytesMax = 16 * 1024 * 1024;

/** The longest id of a thread, a request, a query or an entry, in UTF-16 units. */
export const idLengthMax = 256;

/** The longest name, title or label, in UTF-16 units. What is longer is cut. */
export const labelLengthMax = 1_024;

/** The longest text of one error, in UTF-16 units. What is longer is cut. */
export const errorLengthMax = 16_384;

/** The longest text of one entry, in UTF-16 units. What is longer is cut, and says so. */
export const contentLengthMax = 1_048_576;
