/** The limits of the configuration that a client can run into at the proxy port; each time is counted by its name. */
export const LIMIT_NAMES = [
  'answerTimeoutMs',
  'connections',
  'connectionsPerClient',
  'exchangesPerMinute',
  'headTimeoutMs',
  'helloTimeoutMs',
  'leafCertificatesPerMinute',
  'lookups',
  'lookupsPerClient',
  'maxAnswerHeaderBytes',
  'maxHeaderBytes',
  'maxHeaders',
  'maxUrlBytes',
  'requestBytesPerSecond',
  'requestTimeoutMs',
  'tunnelIdleTimeoutMs',
  'tunnelTimeoutMs',
] as const
export type LimitName = (typeof LIMIT_NAMES)[number]
