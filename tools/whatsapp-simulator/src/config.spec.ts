import { loadSimulatorConfig, SimulatorConfigError } from './config.ts';

describe('the simulator configuration', () => {
  it('has the local defaults', () => {
    expect(loadSimulatorConfig({})).toEqual({
      port: 4010,
      appSecret: 'local-app-secret',
      verifyToken: 'local-verify-token',
    });
  });

  it('is read from the environment', () => {
    expect(
      loadSimulatorConfig({
        PORT: '0',
        WEBHOOK_URL: 'http://127.0.0.1:4001/webhooks/whatsapp',
        WHATSAPP_APP_SECRET: 'secret',
        WHATSAPP_ACCESS_TOKEN: 'token',
        ACCEPT_ANY_TEMPLATE: 'true',
        UNKNOWN_RECIPIENTS: 'create',
        STATUS_DELAY_MS: '5',
        CALL_LOG: '/tmp/calls.jsonl',
      }),
    ).toEqual({
      port: 0,
      webhookUrl: 'http://127.0.0.1:4001/webhooks/whatsapp',
      appSecret: 'secret',
      verifyToken: 'local-verify-token',
      accessToken: 'token',
      acceptAnyTemplate: true,
      unknownRecipients: 'create',
      statusDelayMs: 5,
      callLogFile: '/tmp/calls.jsonl',
    });
  });

  it('lists all its faults at once', () => {
    const wrong = { PORT: '70000', WEBHOOK_URL: 'ftp://x', STOP_ERROR_IN: 'never', WEBHOOK_BATCH_MAX: '1001' };
    expect(() => loadSimulatorConfig(wrong)).toThrow(SimulatorConfigError);
    expect(() => loadSimulatorConfig(wrong)).toThrow(
      expect.objectContaining({
        faults: [
          'PORT has to be a whole number from 0 to 65535',
          'WEBHOOK_BATCH_MAX has to be a whole number from 1 to 1000',
          'STOP_ERROR_IN has to be one of status, reply',
          'WEBHOOK_URL has to be an http(s) URL',
        ],
      }) as Error,
    );
  });
});
