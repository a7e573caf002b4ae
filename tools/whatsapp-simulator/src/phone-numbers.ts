/** A business number, of a WhatsApp Business account, of a portfolio. */
export interface PhoneNumber {
  /** The phone-number id of the API's path: digits. */
  readonly id: string;
  readonly displayPhoneNumber: string;
  readonly wabaId: string;
  readonly portfolioId: string;
}

/** The number that Assent's local defaults name; its digits are from the range reserved for fiction. */
export const DEFAULT_PHONE_NUMBER: PhoneNumber = {
  id: '100000000000001',
  displayPhoneNumber: '12025550100',
  wabaId: '300000000000001',
  portfolioId: '200000000000001',
};
