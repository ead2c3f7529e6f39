// Loaded before node-red-dev, which stops early if Node-RED's online catalogue does not answer.
const axios = require(require.resolve('axios', { paths: [process.argv[1]] }));

const get = axios.get.bind(axios);
axios.get = (url, ...rest) =>
  url.includes('catalogue.nodered.org') ? Promise.resolve({ data: { modules: [] } }) : get(url, ...rest);
