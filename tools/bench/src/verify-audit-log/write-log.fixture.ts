import { writeBigLog } from '../../../verifier/src/written-log/big-log.fixture.ts';

const [folder = '', leaves = '0'] = process.argv.slice(2);
console.log(writeBigLog(folder, { leaves: Number(leaves) }));
