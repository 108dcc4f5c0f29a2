namespace NestQuant.Data;

/// <summary>Converts arrays whose first axis varies fastest to C order.</summary>
internal static class FortranOrder
{
    /// <summary>Copies elements of <paramref name="size"/> bytes each into C order.</summary>
    public static byte[] ToC(ReadOnlySpan<byte> fortran, IReadOnlyList<long> shape, int size)
    {
        byte[] result = new byte[fortran.Length];
        int rank = shape.Count;
        int[] index = new int[rank];
        int[] strides = new int[rank];
        for (int axis = 0, stride = 1; axis < rank && fortran.Length > 0; axis++)
        {
            strides[axis] = stride;
            stride *= (int)shape[axis];
        }

        int source = 0;
        for (int target = 0; target < result.Length; target += size)
        {
            fortran.Slice(source * size, size).CopyTo(result.AsSpan(target));
            // Counts through the C-order index; the source position follows from the strides.
            for (int axis = rank - 1; axis >= 0; axis--)
            {
                source += strides[axis];
                if (++index[axis] < shape[axis])
                    break;
                source -= index[axis] * strides[axis];
                index[axis] = 0;
            }
        }

        return result;
    }
}
