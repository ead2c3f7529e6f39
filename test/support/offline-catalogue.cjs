// Loaded before node-red-dev: without an answer of Node-RED's online catalogue it ends in the middle.
const axios = require(require.resolve('axios', { paths: [process.argv[1]] }));

const get = axios.get.bind(axios);
axios.get = (url, ...rest) =>
  url.includes('catalogue.nodered.org') ? Promise.resolve({ data: { modules: [] } }) : get(url, ...rest);
