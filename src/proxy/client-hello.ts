import type { Host } from '../policy/host.ts'
export type Hello =
  | { readonly kind: 'more' }
  | { readonly kind: 'not-tls' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'hello'; readonly name: Host | undefined; readonly encrypted: boolean }
export function readClientHello(bytes: Buffer): Hello {
  return bytes[0] === 22
    ? { kind: 'hello', name: undefined, encrypted: false }
    : { kind: 'not-tls' }
}
