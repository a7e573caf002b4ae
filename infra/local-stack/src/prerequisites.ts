import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const NODE_MIN = [20, 19] as const;
const JAVA_MIN = 17;
const COMMAND_TIMEOUT_MS = 10_000;
/** An engine that is there answers in some 15 ms; a client alone is often on PATH, and one that hangs is no engine. */
const DOCKER_TIMEOUT_MS = 2_000;

/** Something the machine lacks, as a person would put it, with the way to get it. */
export interface Missing {
  readonly what: string;
  readonly why: string;
  readonly how: string;
}

/** What `checkPrerequisites` found on the machine. */
export interface Machine {
  readonly nodeVersion: string;
  readonly docker: boolean;
  readonly kafkaNamed: boolean;
  readonly mongoNamed: boolean;
  /** major version of a JDK (javac, not only java); undefined when there is none */
  readonly jdk: number | undefined;
  readonly maven: boolean;
}

/** Looks at this machine; runs `docker`, `javac` and `mvn` with a time limit, changes nothing. */
export function checkPrerequisites(environment: NodeJS.ProcessEnv = process.env): Missing[] {
  const kafkaNamed = isNamed(environment['KAFKA_BROKERS']);
  const mongoNamed = isNamed(environment['MONGODB_URI']);
  const docker = !(kafkaNamed && mongoNamed) && dockerAnswers();
  const native = !docker && !(kafkaNamed && mongoNamed);
  return missingOf({
    nodeVersion: process.versions.node,
    docker,
    kafkaNamed,
    mongoNamed,
    jdk: native ? jdkVersion() : undefined,
    maven: native && mavenAnswers(),
  });
}

/** Pure: what is missing on such a machine. */
export function missingOf(machine: Machine): Missing[] {
  const missing: Missing[] = [];
  if (!isAtLeast(machine.nodeVersion, NODE_MIN)) {
    missing.push({
      what: `Node ${NODE_MIN.join('.')} or newer (this is ${machine.nodeVersion})`,
      why: 'the services run on it',
      how: 'install Node 24 from https://nodejs.org, or `nvm install` in this folder',
    });
  }
  if (machine.docker || (machine.kafkaNamed && machine.mongoNamed)) {
    return missing;
  }
  const instead = ', or start a Docker engine, or name running ones with KAFKA_BROKERS and MONGODB_URI';
  if (machine.jdk === undefined || machine.jdk < JAVA_MIN) {
    const found = machine.jdk === undefined ? '' : ` (this is ${machine.jdk})`;
    missing.push({
      what: `a JDK ${JAVA_MIN} or newer${found}`,
      why: 'without Docker, Kafka and the development store run from their jars',
      how: `\`apt install openjdk-17-jdk-headless\`, \`brew install openjdk\` or https://adoptium.net${instead}`,
    });
  }
  if (!machine.maven) {
    missing.push({
      what: 'Maven',
      why: 'it fetches those jars once',
      how: `\`apt install maven\`, \`brew install maven\` or https://maven.apache.org${instead}`,
    });
  }
  return missing;
}

export function isNamed(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}

export function dockerAnswers(): boolean {
  const { status, stdout } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    encoding: 'utf8',
    timeout: DOCKER_TIMEOUT_MS,
  });
  return status === 0 && stdout.trim() !== '';
}

/** A tool of the JDK: that of JAVA_HOME when it is set, else the one on PATH. */
export function jdkTool(name: 'java' | 'javac' | 'jar', environment: NodeJS.ProcessEnv = process.env): string {
  const home = environment['JAVA_HOME'];
  return isNamed(home) ? join(home, 'bin', name) : name;
}

/** Pure: 17 from `javac 17.0.15`, 8 from `javac 1.8.0_402`. */
export function parseJavacVersion(output: string): number | undefined {
  const match = /javac (?:1\.)?(\d+)/.exec(output);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function jdkVersion(): number | undefined {
  const { status, stdout, stderr } = spawnSync(jdkTool('javac'), ['-version'], {
    encoding: 'utf8',
    timeout: COMMAND_TIMEOUT_MS,
  });
  return status === 0 ? parseJavacVersion(stdout + stderr) : undefined;
}

function mavenAnswers(): boolean {
  return spawnSync('mvn', ['-v'], { timeout: COMMAND_TIMEOUT_MS }).status === 0;
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [haveMajor = 0, haveMinor = 0] = version.split('.').map(Number);
  return haveMajor > major || (haveMajor === major && haveMinor >= minor);
}
