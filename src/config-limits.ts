/** The part of the configuration that holds every bound. */
import { z } from 'zod'
import { inBoth } from './schema-faults.ts'

// Node waits one millisecond in place of anything longer.
const MAX_LIMIT = 2 ** 31 - 1
/** A bound; 0 means off. Its unit stands in the name where the number has one. */
const limit = (value: number, text: string) =>
  z.int().min(0).max(MAX_LIMIT).default(value).describe(text)

const MAX_RETENTION_DAYS = 365
/** The charter keeps logs a year at most, and "off" would be for ever. */
const retention = (days: number, text: string) =>
  z
    .int()
    .refine(value => value >= 1 && value <= MAX_RETENTION_DAYS, {
      error: inBoth(
        `de 1 à ${MAX_RETENTION_DAYS} jours, la charte ne garde rien plus d’un an`,
        `1 to ${MAX_RETENTION_DAYS} days, the charter keeps nothing for more than a year`,
      ),
    })
    .default(days)
    .describe(text)

export const limitsSchema = z.strictObject({
  headTimeoutMs: limit(15_000, 'time to send the head of a request'),
  requestTimeoutMs: limit(
    600_000,
    'silence of a client in the midst of the body of a plain-HTTP request',
  ),
  requestBytesPerSecond: limit(
    500,
    'lowest pace of such a body, on average, once it has lasted longer than that; 0: any',
  ),
  keepAliveTimeoutMs: limit(65_000, 'idle time of a kept client connection between two requests'),
  dialTimeoutMs: limit(10_000, 'time to resolve a name and connect, all addresses together'),
  answerTimeoutMs: limit(120_000, 'silence of an origin until its plain-HTTP answer begins'),
  tunnelIdleTimeoutMs: limit(
    600_000,
    'silence of a tunnel, both ways, before it is closed; of a plain answer that has begun too, be it that its client takes nothing',
  ),
  helloTimeoutMs: limit(
    10_000,
    'time for the TLS handshake of a refused CONNECT, and for the ClientHello of an allowed one',
  ),
  drainTimeoutMs: limit(10_000, 'time that open exchanges get when Préau stops; 0: none'),
  handoverTimeoutMs: limit(
    600_000,
    'time that open exchanges get when their process is replaced (SIGHUP); 0: none',
  ),
  orphanTimeoutMs: limit(
    600_000,
    'time that processes go on serving whose supervisor has gone (killed, or SIGUSR2) before they end too; a new supervisor replaces them; 0: none',
  ),
  heartbeatTimeoutMs: limit(
    5_000,
    'silence of a process before it is ended and replaced; 0: it may be silent for ever',
  ),
  tunnelTimeoutMs: limit(43_200_000, 'how long a tunnel may last in all, busy or not'),
  maxHeaderBytes: limit(32_768, 'size of the head of a request'),
  maxAnswerHeaderBytes: limit(65_536, 'size of the head of an answer'),
  maxHeaders: limit(100, 'fields in the head of a request'),
  maxUrlBytes: limit(16_384, 'length of the address of a plain-HTTP request'),
  connections: limit(
    20_000,
    'client connections open at once, per worker; no school may have more than half of them, and the last tenth is for PCs that have none',
  ),
  connectionsPerClient: limit(
    1_000,
    'connections of one client address at once, per worker; raise it where a school comes from one address',
  ),
  exchangesPerMinute: limit(
    12_000,
    'new requests and tunnels of one client address per minute, per worker',
  ),
  lookups: limit(
    1_000,
    'names that the DNS is being asked for at once, per worker; no school may have more than half of them, and the last tenth is for PCs that wait for none',
  ),
  lookupsPerClient: limit(100, 'of one client address'),
  dnsCacheEntries: limit(10_000, 'names kept by the DNS cache, per worker'),
  dnsTtlMs: limit(30_000, 'how long an answer of the DNS is kept'),
  categoryCacheEntries: limit(50_000, 'hosts whose categories are kept (LRU), per worker'),
  leafCertificates: limit(2_000, 'certificates of block pages kept (LRU), per worker'),
  leafCertificatesPerMinute: limit(3_000, 'new certificates of block pages per minute, per worker'),
  unblockPerMinute: limit(
    30,
    'unblock clicks per PC and minute, all workers and machines together',
  ),
  pendingPerPc: limit(20, 'pending unblock requests opened by one PC'),
  pendingPerSite: limit(200, 'pending unblock requests of one school'),
  askAgainMinutes: limit(
    15,
    'how long after a refusal a school waits before it may ask for the same site again; 0: it may at once',
  ),
  formBytes: limit(4_096, 'size of a form that is sent to a block page'),
  followersPerPc: limit(20, 'block pages of one PC that follow their request live, per worker'),
  followers: limit(5_000, 'block pages that follow their request live, per worker'),
  acknowledgeMinutes: limit(
    60,
    'how long a site stays open after its warning was read; 0: never opens',
  ),
  warningsPerPc: limit(200, 'sites that one PC opens past their warning in that time'),
  adminConnections: limit(1_000, 'connections to the admin app open at once, per machine'),
  adminConnectionsPerClient: limit(200, 'of one client address, per machine'),
  sessionMinutes: limit(600, 'length of an admin session'),
  loginAttempts: limit(5, 'failed sign-ins of an account from one address before it must wait'),
  loginLockMinutes: limit(15, 'how long it must wait'),
  requestRetentionDays: retention(
    365,
    'how long requests, ended grants and the audit are kept (at most 365)',
  ),
  accessLogRetentionDays: retention(180, 'how long access-log files are kept (at most 365)'),
})
