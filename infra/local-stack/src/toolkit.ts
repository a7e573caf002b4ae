export type Log = (line: string) => void;

/** What a JVM of the stack is started with. */
export interface Toolkit {
  readonly java: string;
  /** our launchers first, then the jars, always in the same order: a class archive is valid for one path only */
  readonly classPath: string;
  readonly kafkaArchive: string;
  readonly storeArchive: string;
}

/** Small heaps, a compiler and a collector that start fast: measured 1.0 s and 165 MB for the broker. */
const JVM_FLAGS = ['-Xms64m', '-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xlog:disable'];
/**
 * Each thread keeps its largest direct buffer for ever otherwise: 64 threads of the store that write chunks of 6 MB come
 * to the limit (as much as the heap) at 250,000 documents, and from then on every command is answered with an error.
 */
const JVM_PROPERTIES = ['-Djdk.nio.maxCachedBufferSize=262144'];
/** A JVM that cannot use the archive (another build of it) goes on without and says nothing. */
const JVM_LOG_FLAGS = ['-Xlog:all=error:stderr'];

export function jvmArguments(
  toolkit: Toolkit,
  o: { main: string; archive: readonly string[]; logLevel: 'warn' | 'off'; args: readonly string[] },
): string[] {
  return [
    ...JVM_FLAGS,
    ...JVM_PROPERTIES,
    ...JVM_LOG_FLAGS,
    ...o.archive,
    `-Dorg.slf4j.simpleLogger.defaultLogLevel=${o.logLevel}`,
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
    '-cp',
    toolkit.classPath,
    `assent.localstack.${o.main}`,
    ...o.args,
  ];
}
