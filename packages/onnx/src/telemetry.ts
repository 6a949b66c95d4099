/**
 * onnxruntime reports to its makers from Linux too (seen in 1.30): a device id and a queue of events under the user's cache
 * folder, a log in the temporary folder, and uploads. It reads this variable when it is loaded, so this module must be
 * imported before it, in the main thread (a worker's environment is a copy). Who wants the reports sets it to 0.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1';
