using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Interop;

namespace NestQuant.RuntimeOps.Tests.Interop;

public unsafe class OrtApiTests
{
    [Fact]
    public void An_older_ONNX_Runtime_is_refused_by_its_version()
    {
        OrtApiBase old = new() { GetApi = &NoApi, GetVersionString = &OldVersion };
        string message = Assert.Throws<PlatformNotSupportedException>(() =>
        {
            OrtApiBase local = old;
            OrtApi.GetTable(&local);
        }).Message;
        Assert.Equal("the host has ONNX Runtime 1.19.2; the operators of com.nestquant need 1.24 or newer", message);
    }

    [Fact]
    public void The_operator_struct_has_the_size_of_the_C_header() =>
        Assert.Equal(208, (int)Marshal.OffsetOf<OrtCustomOp>(nameof(OrtCustomOp.Api)));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void** NoApi(uint version) => null;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte* OldVersion() => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference("1.19.2\0"u8));
}
