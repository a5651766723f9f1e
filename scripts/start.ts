/** npm start: the quickstart, end to end, on this machine. What it is asked to do is in start/options.ts. */
import { rm } from 'node:fs/promises';
import { isTaken, takenMessage } from './control-plane.ts';
import type { Libvirtd } from './libvirtd.ts';
import { isRunning } from './processes.ts';
import { endProvider } from './provider.ts';
import { setUp } from './setup.ts';
import { removeBeside } from './start/beside.ts';
import { bringUp, bringUpLibvirtd, type Cloud } from './start/cloud.ts';
import { parseOptions, type StartOptions, USAGE } from './start/options.ts';
import { Refused, readSession, Session, type SessionRecord } from './start/session.ts';
import { showCloud } from './start/show.ts';
import { checkNothingLeft, verify } from './start/verify.ts';
import { StepFailed, Steps, seconds } from './steps.ts';
import { asTyped } from './typed.ts';

const steps = new Steps();

/** Lines of Terraform that say what it does; that it reads what is there is not worth a line. */
const PROGRESS = /^plumb_\S+: (?!Refreshing)/;

/** Ends what runs at the moment, then everything; a second one ends this process at once. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(signal);
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
  // The terminal was closed: several may say so, and nothing can be shown any more.
  process.on('SIGHUP', () => {
    for (const out of [process.stdout, process.stderr]) out.on('error', () => {});
    controller.abort('SIGHUP');
  });
  return controller.signal;
}

async function main(options: StartOptions): Promise<void> {
  const began = performance.now();
  const interrupted = untilInterrupted();
  const before = await readSession(options.dataDir);
  if (options.mode === 'destroy' && !before) return steps.say(`Nothing to remove in ${asTyped(options.dataDir)}.`);
  await requireFreePort(options.port, before);
  const simulated = options.mode === 'destroy' ? before?.driver === 'simulated' : options.simulated;
  const setup = await setUp(steps, { guests: !simulated, terraform: true });
  const session = await Session.open(options.dataDir, options.port, setup.image ? 'libvirt' : 'simulated');
  let libvirtd: Libvirtd | undefined;
  try {
    libvirtd = setup.image ? await bringUpLibvirtd(steps, options.dataDir) : undefined;
    const cloud = await bringUp(steps, { options, setup, session, libvirtd, signal: interrupted });
    await steps.run('terraform init', `read what it says; the provider is in dist/mirror`, () =>
      cloud.quickstart.init(),
    );
    if (options.mode !== 'destroy') await apply(cloud, session);
    if (options.mode === 'once') await verify(steps, cloud);
    if (options.mode === 'stay') {
      await showCloud(steps, cloud, options);
      steps.say(`Ready after ${seconds(performance.now() - began).trim()}. Ctrl-C ends Plumb; the guests go on.`);
      await aborted(interrupted);
      return;
    }
    await destroy(cloud, session);
    await checkNothingLeft(steps, cloud);
  } catch (error) {
    steps.say(whatNow(options, interrupted.aborted));
    throw error;
  } finally {
    steps.say('Ending server and agent.');
    await session.close();
    await libvirtd?.stop();
  }
  await session.forget();
  if (options.ownFolder) await endProvider(options.dataDir);
  if (options.mode === 'destroy' || options.ownFolder) await rm(options.dataDir, { recursive: true, force: true });
  steps.say(`Done in ${seconds(performance.now() - began).trim()}: nothing is left.`);
}

function whatNow({ mode, dataDir }: StartOptions, interrupted: boolean): string {
  const again = mode === 'once' ? `npm start -- --once` : 'npm start';
  const remove = `npm start -- --destroy --data-dir ${asTyped(dataDir)}`;
  const why = interrupted ? 'Interrupted.' : 'Nothing was taken away, so that you can look.';
  return `${why} "${again}" goes on from here, "${remove}" removes everything.`;
}

async function apply(cloud: Cloud, session: Session): Promise<void> {
  session.record.applied = true;
  await session.save();
  await steps.run('terraform apply', 'read the message above, and server.log and agent.log', async (step) => {
    const { stdout } = await cloud.quickstart.apply((line) => {
      if (PROGRESS.test(line)) step.line(line);
    });
    step.note(stdout.match(/Apply complete! (Resources: .*)\./)?.[1] ?? '');
  });
}

/** Looked at first: set-up may take minutes. What an earlier start left running has the port rightly, and is ended. */
async function requireFreePort(port: number, before: SessionRecord | undefined): Promise<void> {
  const ours = before?.port === port && [before.start, ...before.processes].some(isRunning);
  if (!ours && (await isTaken(port)))
    throw new Refused(`${takenMessage(port)}. Choose another port, for example: npm start -- --port ${port + 1}`);
}

async function destroy(cloud: Cloud, session: Session): Promise<void> {
  await removeBeside(steps, cloud);
  await steps.run('terraform destroy', 'read the message above, and server.log and agent.log', async (step) => {
    const { stdout } = await cloud.quickstart.destroy((line) => {
      if (PROGRESS.test(line)) step.line(line);
    });
    step.note(stdout.match(/Destroy complete! (Resources: .*)\./)?.[1] ?? '');
  });
  session.record.applied = false;
  await session.save();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // A promise does not keep a process alive; a timer that never matters does.
    const alive = setInterval(() => {}, 2 ** 30);
    signal.addEventListener('abort', () => {
      clearInterval(alive);
      resolve();
    });
  });
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options) await main(options);
  else process.stdout.write(USAGE);
} catch (error) {
  if (!(error instanceof StepFailed)) console.error(error instanceof Refused ? error.message : error);
  process.exitCode = 1;
}
