namespace NestQuant.Passes.Tests.Integer.Sweep;

/// <summary>Operators that compute elements: of one tensor, of several, and normalisations.</summary>
internal static class ArithmeticCases
{
    private static readonly long[] Row = [2, 3, 11];

    public static IEnumerable<OperatorCase> All => [.. Binaries, .. Variadics, .. Unaries, .. Clips, .. Normalisations];

    private static IEnumerable<OperatorCase> Binaries
    {
        get
        {
            foreach (string op in (string[])["Add", "Mul", "Sub", "Max", "Min"])
            {
                foreach (string operands in (string[])["a, b", "b, a", "a, a"]) yield return new($"z = {op}({operands})");
                foreach (string constant in (string[])["<1.5f>", "<-0.7>", "@8 1 1", "@1 8 5 7", "@3 1 1 1"])
                    yield return new($"z = {op}(a, {constant})");
                if (op is "Add" or "Mul")
                    foreach (string constant in (string[])
                    [
                        "@1 1 1 1", "@1 8 1 1", "@7", "@5 1", "@5 7", "@1 1 5 7", "@8 5 7", "@1 1 1 1 1",
                    ])
                        yield return new($"z = {op}({constant}, a)");
                yield return new($"z = {op}(a, b)") { Shape = Row };
                yield return new($"z = {op}(a, @8 1)") { Shape = Row };
                yield return new($"p = GlobalMaxPool(b); z = {op}(a, p)");
                yield return new($"p = GlobalAveragePool(b); z = {op}(p, a)");
                yield return new($"p = GlobalAveragePool(b); s = Flatten(p); z = {op}(a, b)");
                yield return new($"p = ReduceMean[axes=1,](b); z = {op}(a, p)");
                yield return new($"p = {op}(a, b); z = Relu(p)");
                yield return new($"p = {op}(a, b); z = Clip(p, <-1.f>, <2.f>)");
                yield return new($"p = {op}(a, b); z = LeakyRelu(p)");
                yield return new($"s = Softmax[axis=1](a); t = Softmax[axis=1](b); z = {op}(s, t)");
            }

            yield return new("p = ReduceMean[axes=2,3 keepdims=0](b); q = MatMul(p, @8 7); z = Add(a, q)");
            foreach (string divisor in (string[])["<1.5f>", "<-0.7f>", "<2. 1. 3. -1. 4. 1. 2.>", "d, d"])
                yield return new(divisor == "d, d" ? "e = Abs(b); d = Add(e, <2.f>); z = Div(a, d)" : $"z = Div(a, {divisor})");
            yield return new("z = PRelu(a, @8 1 1)");
            yield return new("z = PRelu(a, <0.25f>)");
            yield return new("z = PRelu(a, @1)");
            yield return new("z = PRelu(a, @7)");
            yield return new("z = Pow(a, <2.f>)");
            yield return new("m = Greater(a, b); z = Where(m, a, b)");
            yield return new("m = Less(a, <0.f>); z = Where(m, <0.f>, a)");
            yield return new("m = Greater(a, b); z = Where(m, a, @8 1 1)");
            yield return new("z = MatMul(a, @7 5)");
            yield return new("t = Transpose[perm=0,1,3,2](b); z = MatMul(a, t)");
            yield return new("q = MatMul(a, @7 6); z = Add(q, @6)");
        }
    }

    private static IEnumerable<OperatorCase> Variadics
    {
        get
        {
            foreach (string op in (string[])["Max", "Min", "Sum", "Mean"])
                foreach (string operands in (string[])["a", "a, b", "a, b, a", "a, b, @8 1 1", "a, <0.f>"])
                    yield return new($"z = {op}({operands})");
        }
    }

    private static IEnumerable<OperatorCase> Unaries
    {
        get
        {
            foreach (string op in (string[])
            [
                "Relu", "LeakyRelu", "LeakyRelu[alpha=0.3]", "LeakyRelu[alpha=-0.3]", "LeakyRelu[alpha=0.0]", "Elu",
                "Elu[alpha=0.5]", "Selu", "Selu[alpha=1.2 gamma=0.7]", "Celu", "Celu[alpha=0.4]",
                "ThresholdedRelu", "ThresholdedRelu[alpha=0.2]", "Sigmoid", "HardSigmoid", "HardSigmoid[alpha=0.3 beta=0.4]",
                "HardSwish", "Tanh", "Softplus", "Softsign", "Erf", "Exp", "Abs", "Neg",
                "Sin", "Cos",
            ])
                yield return new($"z = {op}(a)");
            yield return new("z = Mish(a)") { Opset = 18 };
            yield return new("z = Gelu(a)") { Opset = 20 };
            yield return new("z = Gelu[approximate=tanh](a)") { Opset = 20 };
            yield return new("z = HardSwish(a)") { Opset = 22 };
            yield return new("z = ThresholdedRelu(a)") { Opset = 22 };
            yield return new("s = Sigmoid(a); z = Mul(a, s)");
            yield return new("s = HardSigmoid[alpha=0.1666667 beta=0.5](a); z = Mul(s, a)");
            yield return new("p = Abs(a); q = Add(p, <1.f>); r = Sqrt(q); z = Reciprocal(r)");
            yield return new("z = Sigmoid(a)") { Opset = 11 };
            yield return new("z = Relu(a)") { Opset = 11, Shape = Row };
            yield return new("p = Relu(a); z = Sigmoid(p)");
        }
    }

    private static IEnumerable<OperatorCase> Clips
    {
        get
        {
            foreach (string bounds in (string[])
            [
                "", ", <-1.f>", ", , <1.f>", ", <-1.f>, <2.f>", ", <0.f>, <6.f>", ", <0.5f>, <1.5f>", ", <2.f>, <-1.f>",
                ", <-100.f>, <100.f>",
            ])
            {
                yield return new($"z = Clip(a{bounds})");
                yield return new($"z = Clip(a{bounds})") { Opset = 11 };
                yield return new($"p = MaxPool[kernel_shape=2,2](a); z = Clip(p{bounds})");
            }

            yield return new("m = ReduceMax[keepdims=0](b); z = Clip(a, , m)");
        }
    }

    private static IEnumerable<OperatorCase> Normalisations
    {
        get
        {
            foreach (string op in (string[])["Softmax", "LogSoftmax"])
                foreach (int axis in (int[])[1, 2, 3, -1, -3, 0])
                    yield return new($"z = {op}[axis={axis}](a)") { Opset = axis > 1 ? 11 : 13 };
            yield return new("z = BatchNormalization(a, @8, @8, @8, <1. 2. 1. 2. 1. 2. 1. 2.>)") { Opset = 15 };
            yield return new(
                "p = MaxPool[kernel_shape=2,2](a); z = BatchNormalization(p, @8, @8, @8, <1. 2. 1. 2. 1. 2. 1. 2.>)")
            { Opset = 15 };
            yield return new("z = InstanceNormalization(a, @8, @8)");
            yield return new("z = LayerNormalization(a, @7, @7)") { Opset = 17 };
            yield return new("z = LayerNormalization[axis=1](a, @8 5 7)") { Opset = 17 };
            yield return new("z = GroupNormalization[num_groups=4](a, @8, @8)") { Opset = 21 };
            yield return new("z = LpNormalization[axis=1 p=2](a)");
            yield return new("z = LRN[size=3](a)");
            yield return new("z = MeanVarianceNormalization(a)");
            yield return new("z = ConvTranspose[strides=2,2](a, @8 4 2 2)");
            yield return new("z = CumSum(a, <1>)");
            yield return new("z = GridSample(a, @1 4 4 2)") { Opset = 16 };
        }
    }
}
