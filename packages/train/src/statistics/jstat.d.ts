declare module 'jstat' {
  const jstat: object;
  export default jstat;
}
