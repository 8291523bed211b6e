import { BUNDLED_SERVER, slotUnits } from "../../../cloud-init/app.ts";
import { CheckFailure } from "../check.ts";

/** @throws CheckFailure when the edge speaks the protocol but the server behind it does not answer */
export function assertServed(status: number, protocol: string): void {
  if (status < 500) return;
  throw new CheckFailure(
    `${protocol} works, but the answer is ${status}`,
    `See why the server behind the edge does not answer: systemctl status '${slotUnits(BUNDLED_SERVER)}'; journalctl -u '${slotUnits(BUNDLED_SERVER)}' -n 50`,
  );
}
