/** What a page of a browser does with a WebSocket: says « bonjour » and tells what it heard, or how it was closed. */
export const talk = (url: string): string => `new Promise(resolve => {
  const socket = new WebSocket(${JSON.stringify(url)})
  socket.onopen = () => socket.send('bonjour')
  socket.onmessage = ({ data }) => resolve(data)
  socket.onclose = ({ code }) => resolve('closed ' + code)
})`
