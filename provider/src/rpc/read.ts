/** How long a server that is out of reach is asked for an object, in milliseconds. No attribute of HCL says it. */
export const READ_MS = 60_000;
