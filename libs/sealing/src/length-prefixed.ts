/** The fields as UTF-8, each after its length in bytes (uint32, big endian), so that no two lists give the same bytes. */
export function lengthPrefixed(...fields: readonly string[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const bytes = Buffer.from(field, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
