/** `durable` keeps every commit through a crash of the machine; `throwaway` is for tests alone. */
export type Durability = 'durable' | 'throwaway';

/** The settings of the embedded server, as command line flags. */
export function serverFlags(port: number, durability: Durability): readonly string[] {
  const settings: Record<string, string> = {
    ...common,
    port: String(port),
    ...(durability === 'throwaway' && throwaway),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

const common = {
  listen_addresses: '127.0.0.1',
  // A socket in a deep directory exceeds the length limit of socket names, and nobody needs it.
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  // A burst of work should not force checkpoints one after the other.
  max_wal_size: '2GB',
  // Statements are short; compiling them costs more than it saves.
  jit: 'off',
  // Queue-like tables (outbox, keys) fill with dead rows within seconds, not minutes.
  autovacuum_naptime: '10s',
  log_checkpoints: 'off',
};

const throwaway = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '128MB',
  // Tests hold a pool for each database side by side.
  max_connections: '500',
  io_method: 'sync',
};
