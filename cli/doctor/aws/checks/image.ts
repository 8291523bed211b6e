import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { imageParameter } from "../../../../infra/aws/image-parameter.ts";
import { CheckFailure } from "../../check.ts";
import type { AwsCheck } from "../check.ts";

/** Debian's account, from wiki.debian.org/Cloud/AmazonEC2Image. */
const DEBIAN = "136693071363";

/** The public parameter with the id of Debian's newest image. */
export const parameter: AwsCheck = {
  id: "image-parameter",
  title: "Debian 13 parameter",
  about: "account",
  tried: ({ settings, aws }) => `ssm:GetParameter ${imageParameter(settings.architecture)} in ${aws.region}`,
  async run(context) {
    const Name = imageParameter(context.settings.architecture);
    const { Parameter } = await context.aws.ssm.send(new GetParameterCommand({ Name }));
    const value = Parameter?.Value ?? "";
    if (!/^ami-[0-9a-f]+$/.test(value)) throw new CheckFailure(`its value "${value}" is not an image`);
    context.image = value;
    return value;
  },
  fix: () => "Name an image of https://wiki.debian.org/Cloud/AmazonEC2Image: mcp-edge:image: ami-…",
};

/** That image itself: Debian's own, for the right processor. */
export const image: AwsCheck = {
  id: "image",
  title: "Debian 13 image",
  about: "account",
  tried: ({ image = "" }) => `ec2:DescribeImages ${image}`,
  async run({ aws, image = "", settings }) {
    const { Images = [] } = await aws.ec2.send(new DescribeImagesCommand({ ImageIds: [image] }));
    const [found] = Images;
    if (!found) throw new CheckFailure(`there is no image ${image}`);
    const values = {
      imageOwnerId: [found.OwnerId, DEBIAN],
      imageState: [found.State, "available"],
      architecture: [found.Architecture, settings.architecture === "arm64" ? "arm64" : "x86_64"],
      enaSupport: [found.EnaSupport, true],
    };
    const wrong = Object.entries(values).filter(([, [got, wanted]]) => got !== wanted);
    if (wrong.length > 0) {
      throw new CheckFailure(
        wrong.map(([name, [got, wanted]]) => `${name} is ${got}, not ${wanted}`).join("; "),
      );
    }
    return `${found.Name}, root at ${found.RootDeviceName}`;
  },
  fix: () => "Name an image of Debian's account by hand: mcp-edge:image: ami-…",
};
