/** Version of lsgmer, written into manifests and feature provenance; a test keeps it equal to package.json. */
export const VERSION = '0.1.0';
