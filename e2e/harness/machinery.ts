/** What these tests need of the machine. A test whose machinery is missing is skipped, by name; in CI that is a failure. */
import { inspectMachine } from '../../scripts/machine.ts';
import { findTerraform, type Terraform } from '../../scripts/terraform.ts';

const machine = await inspectMachine();

/** Whether real guests can run here. */
export const guests = machine.guests;

/** Terraform or OpenTofu; set-up has found or built it. Undefined when neither is there. */
export const terraform: Terraform | undefined = await findTerraform().catch(() => undefined);
