import { loadSimulatorConfig, SimulatorConfigError } from './config.ts';
import { startSimulator } from './simulator.ts';

try {
  const simulator = await startSimulator(loadSimulatorConfig(process.env));
  process.stdout.write(`${JSON.stringify({ level: 'info', msg: 'simulator is listening', url: simulator.url })}\n`);
  let closing = false;
  const close = () => {
    if (closing) return;
    closing = true;
    void simulator.close();
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
} catch (error) {
  const message = error instanceof SimulatorConfigError || error instanceof Error ? error.message : 'unknown error';
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
