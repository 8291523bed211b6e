import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { imageParameter } from "./image-parameter.ts";

export interface Image {
  id: pulumi.Output<string>;
  /** A machine that is there stays with the image it was made from, whatever `id` says. */
  pinned: boolean;
}

/**
 * The machine's image by the setting `image`: a given one; else the newest one, which counts for new machines only, unless
 * the setting is `roll`. A newer image never replaces a machine by itself.
 */
export function imageOf(
  { image, architecture }: { image: string; architecture: "arm64" | "amd64" },
  opts: pulumi.InvokeOptions,
): Image {
  if (image.startsWith("ami-")) return { id: pulumi.output(image), pinned: false };
  const { value } = aws.ssm.getParameterOutput({ name: imageParameter(architecture) }, opts);
  // The provider hands the value out as a secret, since some parameters are; this one everybody may read.
  return { id: pulumi.unsecret(value), pinned: image === "keep" };
}
