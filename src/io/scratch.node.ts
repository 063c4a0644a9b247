import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Where scratch files go: /tmp may be memory in disguise; /var/tmp is on a disk. */
export function scratchFolder(): string {
  return tmpdir() === '/tmp' && existsSync('/var/tmp') ? '/var/tmp' : tmpdir();
}
