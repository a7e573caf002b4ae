import { fileURLToPath } from 'node:url';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsString,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { localTokens, TokenEntry } from './access.ts';
import { Env } from './config.ts';

/** Most bearer tokens a service holds: every request is compared with all of them. */
const TOKENS_MAX = 1_000;

/** Longest wait for a shutdown, ms: beyond it an orchestrator's patience is over everywhere. */
const SHUTDOWN_GRACE_MS_MAX = 600_000;

/** The repository's own declaration of topics. */
const TOPICS_FILE = fileURLToPath(new URL('../../../infra/kafka/topics.yaml', import.meta.url));

const localHashes = new Set(localTokens().map(({ sha256 }) => sha256));

/** Refuses a well-known local token in production, also when it was written down by hand. */
function NoLocalTokenInProduction(): PropertyDecorator {
  return ValidateBy({
    name: 'noLocalTokenInProduction',
    validator: {
      validate: (tokens: unknown, context) =>
        (context?.object as RuntimeConfig).NODE_ENV !== 'production' ||
        !Array.isArray(tokens) ||
        !tokens.some((token: unknown) => token instanceof TokenEntry && localHashes.has(token.sha256)),
      defaultMessage: () => 'holds a token for local use, which is refused in production',
    },
  });
}

/** What every service is configured with. A service extends it with its own settings and its own port. */
export class RuntimeConfig {
  @Env({ help: 'development, test or production', default: 'development' })
  @IsIn(['development', 'test', 'production'])
  NODE_ENV!: 'development' | 'test' | 'production';

  @Env({ help: 'the address to listen on; 0.0.0.0 in a container', default: '127.0.0.1' })
  @IsString()
  HOST!: string;

  @Env({ help: 'the port to listen on, 0 for any free one', as: 'integer' })
  @IsInt()
  @Min(0)
  @Max(65_535)
  PORT!: number;

  @Env({ help: 'the Kafka brokers as host:port, separated by commas', local: '127.0.0.1:9092', as: 'list' })
  @IsArray()
  @ArrayMinSize(1)
  @Matches(/^[^\s:]+:\d{1,5}$/, { each: true, message: 'each broker must be host:port' })
  KAFKA_BROKERS!: string[];

  @Env({ help: 'a MongoDB connection string, mongodb://… or mongodb+srv://…', local: 'mongodb://127.0.0.1:27017' })
  @Matches(/^mongodb(\+srv)?:\/\//, { message: 'must be a MongoDB connection string' })
  MONGODB_URI!: string;

  /** Tells installations apart that share a broker or a store: first part of database names and consumer groups. */
  @Env({ help: 'a short name of this installation, lower case', default: 'assent' })
  @Matches(/^[a-z][a-z0-9-]{0,29}$/)
  ASSENT_INSTANCE!: string;

  @Env({
    help: 'a JSON list of {"sha256","tenant","roles","actor"}, sha256 being the hex hash of the bearer token',
    local: JSON.stringify(localTokens()),
    as: 'json',
  })
  @IsArray()
  @ArrayMaxSize(TOKENS_MAX)
  @ValidateNested({ each: true })
  @Type(() => TokenEntry)
  @NoLocalTokenInProduction()
  ASSENT_TOKENS!: TokenEntry[];

  @Env({ help: 'fatal, error, warn, info, debug or silent', default: 'info' })
  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
  LOG_LEVEL!: string;

  /** Time from a signal to the end; what still runs then is cut off. Below the orchestrator's own limit (30 s). */
  @Env({ help: 'the milliseconds a shutdown may take', default: '25000', as: 'integer' })
  @IsInt()
  @Min(100)
  @Max(SHUTDOWN_GRACE_MS_MAX)
  SHUTDOWN_GRACE_MS!: number;

  /** Time between "not ready" and the closed port, so that load balancers have gone elsewhere. */
  @Env({ help: 'the milliseconds to stay reachable after readiness has gone', default: '0', as: 'integer' })
  @IsInt()
  @Min(0)
  @Max(SHUTDOWN_GRACE_MS_MAX)
  SHUTDOWN_DRAIN_MS!: number;

  @Env({
    help: 'the most records a read model may be behind while the service counts as ready',
    default: '10000',
    as: 'integer',
  })
  @IsInt()
  @Min(0)
  READY_LAG_MAX!: number;

  @Env({ help: 'the path of the declaration of topics', default: TOPICS_FILE })
  @IsString()
  ASSENT_TOPICS_FILE!: string;
}
