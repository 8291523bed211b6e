/**
 * Options of a resource whose physical name the engine generates: the resource's name and a random suffix. Two edges of one
 * account never collide, and a replacement can be created before the old resource is deleted. Resources that were created with a
 * fixed name keep it until something else replaces them, because an ignored input counts again in a replacement.
 */
export const AUTO_NAMED = { ignoreChanges: ["name"] };
