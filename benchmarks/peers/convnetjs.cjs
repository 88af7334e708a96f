// ConvNetJS under node: its CIFAR-10 network, plain gradient descent; trains as many drawn examples as each line says.
//
// Usage: node convnetjs.cjs FOLDER_OF_THE_PACKAGE
// Source: https://cs.stanford.edu/people/karpathy/convnetjs/demo/cifar10.html (the network)

const { SGDTrainer: Trainer, Net, Vol } = require(process.argv[2]);

const BATCH = 128;
const stage = (filters) => [
  { type: "conv", sx: 5, filters, stride: 1, pad: 2, activation: "relu" },
  { type: "pool", sx: 2, stride: 2 },
];
const net = new Net();
net.makeLayers([
  { type: "input", out_sx: 32, out_sy: 32, out_depth: 3 },
  ...stage(16),
  ...stage(20),
  ...stage(20),
  { type: "softmax", num_classes: 10 },
]);
const trainer = new Trainer(net, { method: "sgd", learning_rate: 0.01, momentum: 0, batch_size: BATCH, l2_decay: 0 });
const examples = Array.from({ length: BATCH }, () => new Vol(32, 32, 3)); // drawn by itself
let at = 0;

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    for (let left = Number(line); left > 0; left -= 1, at += 1) trainer.train(examples[at % BATCH], at % 10);
    process.stdout.write(`${process.version}\n`);
  });
