/**
 * Every command, once: help and running read this table. What a command takes and does is in the module that its row
 * loads, and only the module of the command that is asked for is loaded: all of them together take a second.
 */

import type { CommandRow } from './command.ts';

export const commands: readonly CommandRow[] = [
  {
    name: 'demo',
    summary: 'Runs the whole market on this machine with two jobs (in Docker seven), and keeps it open until Ctrl-C.',
    load: async () => (await import('./commands/demo.ts')).demoCommand,
  },
  {
    name: 'run',
    summary:
      'Runs a folder on the market: shows the price, waits for your yes, streams progress, downloads and verifies.',
    load: async () => (await import('./commands/run.ts')).runJobCommand,
  },
  {
    name: 'jobs list',
    summary: 'Lists your jobs, newest first.',
    load: async () => (await import('./commands/jobs.ts')).jobsListCommand,
  },
  {
    name: 'jobs show',
    summary: 'Shows a job: its price, its units and what every replica did.',
    load: async () => (await import('./commands/jobs.ts')).jobsShowCommand,
  },
  {
    name: 'jobs logs',
    summary: 'Prints what the units wrote to stdout and stderr.',
    load: async () => (await import('./commands/jobs.ts')).jobsLogsCommand,
  },
  {
    name: 'jobs results',
    summary: 'Downloads the agreed result and its receipt and checks every hash.',
    load: async () => (await import('./commands/jobs.ts')).jobsResultsCommand,
  },
  {
    name: 'jobs cancel',
    summary: 'Cancels a job that is not paid yet.',
    load: async () => (await import('./commands/jobs.ts')).jobsCancelCommand,
  },
  {
    name: 'jobs dispute',
    summary: 'Disputes a verified result within its challenge window; the money is frozen until an arbiter decides.',
    load: async () => (await import('./commands/jobs.ts')).jobsDisputeCommand,
  },
  {
    name: 'disputes resolve',
    summary: 'Decides a dispute; for arbiters who are no party to it.',
    load: async () => (await import('./commands/disputes.ts')).disputesResolveCommand,
  },
  {
    name: 'verify',
    summary: 'Checks a receipt, or a proof from the ledger’s explorer, offline: hashes, signatures, verdicts, money.',
    load: async () => (await import('./commands/verify.ts')).verifyCommand,
  },
  {
    name: 'server',
    summary: 'Runs a server, configured by its environment (see --settings), until Ctrl-C.',
    stays: true,
    load: async () => (await import('./commands/server.ts')).serverCommand,
  },
  {
    name: 'worker',
    summary:
      'Lets this machine work: for the market that it joined, or for ASSAY_URL with ASSAY_API_KEY of a provider.',
    stays: true,
    load: async () => (await import('./commands/worker.ts')).workerCommand,
  },
  {
    name: 'worker join',
    summary: 'Tests this machine, stores what it needs and installs the worker as a service of the market at URL.',
    load: async () => (await import('./commands/worker-join.ts')).workerJoinCommand,
  },
  {
    name: 'worker check',
    summary: 'Tests whether this machine can work, and says what would mend each lack.',
    load: async () => (await import('./commands/worker-join.ts')).workerCheckCommand,
  },
  {
    name: 'worker leave',
    summary: 'Ends the service or process, gives back what runs, and removes the worker’s key, settings and state.',
    load: async () => (await import('./commands/worker-join.ts')).workerLeaveCommand,
  },
  {
    name: 'worker pause',
    summary: 'Lets a running worker claim nothing more until it is resumed; units that run come to their end.',
    load: async () => (await import('./commands/worker-control.ts')).workerPauseCommand,
  },
  {
    name: 'worker resume',
    summary: 'Ends a pause.',
    load: async () => (await import('./commands/worker-control.ts')).workerResumeCommand,
  },
  {
    name: 'worker status',
    summary: 'Says what the workers of this machine do, and why one takes no work.',
    load: async () => (await import('./commands/worker-control.ts')).workerStatusCommand,
  },
  {
    name: 'workers list',
    summary: 'Lists the workers of your account, wherever they are.',
    load: async () => (await import('./commands/workers.ts')).workersListCommand,
  },
  {
    name: 'workers remove',
    summary: 'Takes a worker off the market for good, as when its machine is gone; its place is free for another.',
    load: async () => (await import('./commands/workers.ts')).workersRemoveCommand,
  },
  {
    name: 'password change',
    summary: 'Changes the password of your account, and ends all its sessions.',
    load: async () => (await import('./commands/password.ts')).passwordChangeCommand,
  },
  {
    name: 'sessions list',
    summary: 'Lists where your account is signed in: since when, with what, and when it was last used.',
    load: async () => (await import('./commands/sessions.ts')).sessionsListCommand,
  },
  {
    name: 'sessions end',
    summary: 'Ends one session of your account, or all of them.',
    load: async () => (await import('./commands/sessions.ts')).sessionsEndCommand,
  },
  {
    name: 'keys list',
    summary: 'Lists the API keys of your account and when each was last used.',
    load: async () => (await import('./commands/keys.ts')).keysListCommand,
  },
  {
    name: 'keys revoke',
    summary: 'Ends an API key at once; its place is free for another.',
    load: async () => (await import('./commands/keys.ts')).keysRevokeCommand,
  },
  {
    name: 'images build',
    summary: 'Builds the runners’ images from Debian packages, all or those named, and allows them on this machine.',
    load: async () => (await import('./commands/images.ts')).imagesBuildCommand,
  },
  {
    name: 'images list',
    summary: 'Lists the images: what they hold, whether they are built here, their digests.',
    load: async () => (await import('./commands/images.ts')).imagesListCommand,
  },
  {
    name: 'images dockerfile',
    summary: 'Prints the same recipe as a Dockerfile, for those who have a registry.',
    load: async () => (await import('./commands/images.ts')).imagesDockerfileCommand,
  },
  {
    name: 'audit show',
    summary: 'Prints each start of a sandbox on this machine and how it ended.',
    load: async () => (await import('./commands/audit.ts')).auditShowCommand,
  },
  {
    name: 'audit verify',
    summary: 'Says whether a line of a worker’s audit log was changed, removed, put in, moved or cut off.',
    load: async () => (await import('./commands/audit.ts')).auditVerifyCommand,
  },
  {
    name: 'bans list',
    summary: 'Lists the accounts and workers that are banned, and why; for operators.',
    load: async () => (await import('./commands/bans.ts')).bansListCommand,
  },
  {
    name: 'bans add',
    summary: 'Bans an account from ordering, or a worker from working; for operators.',
    load: async () => (await import('./commands/bans.ts')).bansAddCommand,
  },
  {
    name: 'bans lift',
    summary: 'Ends a ban; for operators.',
    load: async () => (await import('./commands/bans.ts')).bansLiftCommand,
  },
  {
    name: 'outbox list',
    summary: 'Lists messages that wait for a person because sending them failed, and why; for operators.',
    load: async () => (await import('./commands/outbox.ts')).outboxListCommand,
  },
  {
    name: 'outbox resume',
    summary: 'Sends such a message again under its old key, when the cause is mended; for operators.',
    load: async () => (await import('./commands/outbox.ts')).outboxResumeCommand,
  },
  {
    name: 'ledger verify',
    summary: 'Replays the ledger from its first block: hashes, roots, signatures, state, history and facts.',
    load: async () => (await import('./commands/ledger-verify.ts')).ledgerVerifyCommand,
  },
  {
    name: 'fabric up',
    summary:
      'Starts a Fabric network of two organisations with the contracts on two channels; doing so again is harmless.',
    load: async () => (await import('./commands/fabric.ts')).fabricUpCommand,
  },
  {
    name: 'fabric down',
    summary: 'Ends the network; its data stay unless --erase is given.',
    load: async () => (await import('./commands/fabric.ts')).fabricDownCommand,
  },
  {
    name: 'fabric status',
    summary: 'Says which programs of the network run and answer, and when the first certificate ends.',
    load: async () => (await import('./commands/fabric.ts')).fabricStatusCommand,
  },
  {
    name: 'fabric join',
    summary:
      'Adds an organisation with a peer and contracts of its own to a running network, with the members’ consent.',
    load: async () => (await import('./commands/fabric.ts')).fabricJoinCommand,
  },
  {
    name: 'fabric deploy',
    summary: 'Writes the files by which a Fabric network runs in containers; they hold no secret.',
    load: async () => (await import('./commands/fabric-deploy.ts')).fabricDeployCommand,
  },
  {
    name: 'fabric material',
    summary: 'Makes the keys, settings and first blocks of a Fabric network for Kubernetes, once, below DIR.',
    load: async () => (await import('./commands/fabric-deploy.ts')).fabricMaterialCommand,
  },
  {
    name: 'fabric vote',
    summary: 'Votes for an organisation on how long challenge windows are; a rule holds when enough want the same.',
    load: async () => (await import('./commands/fabric-vote.ts')).fabricVoteCommand,
  },
  {
    name: 'doctor',
    summary: 'Says what this machine has and lacks, and what follows from it.',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
];
