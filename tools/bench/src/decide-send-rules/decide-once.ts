import { evaluate } from '@assent/send-rules';
import { questions } from './questions.ts';

const [question] = questions(1);
const beganAt = performance.now();
if (question !== undefined) evaluate(question);
process.send?.(performance.now() - beganAt);
process.disconnect();
