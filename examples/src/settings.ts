/** Where Assent is and what is asked for. The defaults fit a platform on which `./assent demo` was played. */
export interface Settings {
  readonly dispatchUrl: string;
  readonly brokers: readonly string[];
  /** Bearer token with the role `sender`. */
  readonly token: string;
  readonly tenant: string;
  /** WhatsApp phone-number id of the business number. */
  readonly senderId: string;
  readonly purposeId: string;
  readonly template: { readonly name: string; readonly language: string };
  /** Values of the template's parameters, in order. */
  readonly parameters: readonly string[];
}

export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return {
    dispatchUrl: env['DISPATCH_URL'] ?? 'http://127.0.0.1:4003',
    brokers: (env['KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(','),
    token: env['ASSENT_TOKEN'] ?? 'local-sender',
    tenant: env['ASSENT_TENANT'] ?? 'acme',
    senderId: env['SENDER_ID'] ?? '100000000000001',
    purposeId: env['PURPOSE_ID'] ?? 'monthly-offers',
    template: { name: env['TEMPLATE'] ?? 'monthly_offers', language: env['TEMPLATE_LANGUAGE'] ?? 'en' },
    parameters: (env['PARAMETERS'] ?? 'there,this month').split(','),
  };
}

/** The phone number of the command line. Ends the program when it is missing. */
export function phoneOf(argv: readonly string[], program: string): string {
  const [phone, ...rest] = argv.slice(2);
  if (phone !== undefined && rest.length === 0) return phone;
  console.error(`Usage: node examples/dist/${program}.js <phone, such as +12125550102>`);
  process.exit(64);
}
