/** Ends what jest.global-setup.ts began. */
export default async function stopStack(): Promise<void> {
  const { stopAssentStack } = globalThis as { stopAssentStack?: () => Promise<void> };
  await stopAssentStack?.();
}
