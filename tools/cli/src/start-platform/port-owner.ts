import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** State number of a listening socket in /proc/net/tcp. Source: linux/include/net/tcp_states.h. */
const LISTENING = '0A';
const COMMAND_CHARS_MAX = 120;

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

/** Which process listens on a port of this machine, as far as this user may know; for messages only. */
export function ownerOfPort(port: number): PortOwner | undefined {
  return process.platform === 'linux' ? ownerByProc(port) : ownerByLsof(port);
}

function ownerByProc(port: number): PortOwner | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(textOf(file), port)));
  if (inodes.size === 0) return undefined;
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name) && socketsOf(name).some((inode) => inodes.has(inode))) {
      const command = textOf(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
      return { pid: Number(name), command: command.slice(0, COMMAND_CHARS_MAX) };
    }
  }
  return undefined;
}

/** Pure: inodes of the sockets that listen on `port`, from the text of /proc/net/tcp (proc(5)). */
export function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return local?.endsWith(`:${hex}`) === true && state === LISTENING && inode !== undefined ? [inode] : [];
  });
}

function socketsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(pid, fd))?.[1] ?? []);
  } catch {
    // Another user's process, or one that has just ended.
    return [];
  }
}

function linkOf(pid: string, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function ownerByLsof(port: number): PortOwner | undefined {
  try {
    const output = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' });
    const pid = /^p(\d+)$/m.exec(output)?.[1];
    return pid === undefined ? undefined : { pid: Number(pid), command: /^c(.+)$/m.exec(output)?.[1] ?? '' };
  } catch {
    return undefined;
  }
}
