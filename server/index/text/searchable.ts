/** Whether a file is searched, as the column `searchable` of `texts` has it. */
export const Searchable = {
  binary: 0,
  text: 1,
  /** Text of more than MAX_FILE_BYTES. */
  tooLarge: 2,
} as const;
