export {
  AddressKeys,
  parsePeppers,
  PEPPER_BYTES_MIN,
  PepperError,
  PEPPERS_MAX,
  type Pepper,
  type PepperFault,
} from './address-keys.ts';
export { addressesOf, parseBsuid, type Address, type AddressKind, type Bsuid, type Recipient } from './addresses.ts';
export { normalizePhone, PHONE_METADATA_VERSION, type NormalizedPhone } from './normalize-phone.ts';
