import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { imageParameter } from "./image-parameter.ts";

export interface Image {
  id: pulumi.Output<string>;
  /** If true, existing machines keep their image when `id` changes. */
  pinned: boolean;
}

/**
 * The machine's image by the setting `image`: a given one, or else the newest one. The newest one is for new machines only, unless
 * the setting is `roll`. A newer image never replaces a machine by itself.
 */
export function imageOf(
  { image, architecture }: { image: string; architecture: "arm64" | "amd64" },
  opts: pulumi.InvokeOptions,
): Image {
  if (image.startsWith("ami-")) return { id: pulumi.output(image), pinned: false };
  const { value } = aws.ssm.getParameterOutput({ name: imageParameter(architecture) }, opts);
  // The provider returns the value as a secret, since some parameters are secret. This one is public.
  return { id: pulumi.unsecret(value), pinned: image === "keep" };
}
