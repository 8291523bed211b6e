import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

const yes = (value: unknown) => value === true || value === "true";

export const encryptedVolumes: EdgePolicy = () => ({
  ...about({
    name: "encrypted-volumes",
    severity: "high",
    description: "Every volume is encrypted.",
    reason:
      "they hold keys, tokens and certificates. A snapshot that is shared by mistake is readable without encryption.",
    fix: "Set encrypted: true (for the root volume, in rootBlockDevice). This replaces an existing volume: take a snapshot first.",
  }),
  validateResource: [
    on(TYPE.volume, (props, _, report) => {
      if (!yes(props.encrypted)) report("the volume is not encrypted");
    }),
    on(TYPE.instance, (props, _, report) => {
      if (!yes(props.rootBlockDevice?.encrypted)) report("the root volume is not encrypted");
      for (const device of props.ebsBlockDevices ?? []) {
        if (!yes(device.encrypted)) report(`the volume at ${device.deviceName} is not encrypted`);
      }
    }),
    on(TYPE.launchTemplate, (props, _, report) => {
      for (const device of props.blockDeviceMappings ?? []) {
        if (device.ebs && !yes(device.ebs.encrypted))
          report(`the volume at ${device.deviceName} is not encrypted`);
      }
    }),
  ],
});
