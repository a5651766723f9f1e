/** Runs `plumb` with a kubeconfig that only this run can read, and keeps secrets out of everything that is written. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Of a program's output. Above this it is killed, and the job fails. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Ends the job with a sentence. */
export class Refused extends Error {}

/** What a job works with. `close` removes the folder, the kubeconfig and the plan in it. */
export function openJob(env = process.env) {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-ci-')); // 0700
  const given = env.PLUMB_KUBECONFIG;
  if (!given && !env.KUBECONFIG) throw new Refused('PLUMB_KUBECONFIG is not set: it holds the text of a kubeconfig');
  const kubeconfig = given ? join(folder, 'kubeconfig') : env.KUBECONFIG;
  if (given) writeFileSync(kubeconfig, given, { mode: 0o600 });
  const redact = redactor([...secretsOf(readFileSync(kubeconfig, 'utf8')), env.FORGE_TOKEN]);
  const manifests = env.PLUMB_MANIFESTS || 'manifests';
  const prune = env.PLUMB_SELECTOR ? ['--prune', '-l', env.PLUMB_SELECTOR] : [];
  return {
    folder,
    manifests,
    redact,
    say: (text) => process.stdout.write(redact(text.endsWith('\n') ? text : `${text}\n`)),
    /** Of the files, as git knows them: who can read it can read the repository. Throws Refused when they are not as committed. */
    tree() {
      const changed = git('status', '--porcelain', '--ignored', '--', manifests);
      if (changed) throw new Refused(`${manifests} is not as it was committed:\n${changed}`);
      return git('rev-parse', `HEAD:./${manifests}`);
    },
    /** The plan as `plumb plan` writes it, with its exit code: 0 nothing to do, 2 something to do, 1 it cannot be done. */
    async plan() {
      const file = join(folder, 'plan.json');
      rmSync(file, { force: true });
      const files = ['-f', manifests, '-R', ...prune];
      const ran = await run(['plan', ...files, '--out', file, '--detailed-exitcode']);
      return { ...ran, file, digest: ran.code === 1 ? undefined : digestOf(file) };
    },
    /** The nightly question: whether the machines are as the server knows them. */
    drift: () => run(['drift']),
    apply: (file) => run(['apply', '--plan', file]),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };

  function run(args) {
    const [program, ...words] = (env.PLUMB || 'plumb').split(' ');
    // No token of the forge, nor anything else that the job knows.
    const { PATH, HOME, HTTPS_PROXY, HTTP_PROXY, NO_PROXY } = env;
    const known = { PATH, HOME, HTTPS_PROXY, HTTP_PROXY, NO_PROXY, KUBECONFIG: kubeconfig };
    return new Promise((resolve, reject) => {
      const options = { env: known, maxBuffer: MOST_BYTES };
      execFile(program, [...words, ...args], options, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number')
          return reject(new Refused(`${program} did not run to its end: ${error.code ?? error.signal}`));
        resolve({ code: error ? error.code : 0, stdout: redact(stdout), stderr: redact(stderr) });
      });
    });
  }
}

function digestOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).status.digest;
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8', maxBuffer: MOST_BYTES }).trim();
}

function secretsOf(kubeconfig) {
  const values = kubeconfig.matchAll(/"?(?:token|client-key-data|password)"?\s*:\s*["']?([^"'\s,}]+)/g);
  return [...values].map(([, value]) => value);
}

function redactor(secrets) {
  const known = secrets.filter((secret) => secret && secret.length >= 8);
  return (text) => known.reduce((all, secret) => all.replaceAll(secret, '***'), text);
}

/** Runs a job and ends with its exit code. */
export async function main(work) {
  let job;
  try {
    job = openJob();
    process.exitCode = await work(job);
  } catch (error) {
    const text = error instanceof Refused ? error.message : (error.stack ?? String(error));
    process.stderr.write(`${job ? job.redact(text) : text}\n`);
    process.exitCode = 1;
  } finally {
    job?.close();
  }
}
