export { startWitness, type RunningWitness, type WitnessSettings } from './serve-witness/start-witness.ts';
