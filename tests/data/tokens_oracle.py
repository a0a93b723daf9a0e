import json,random,numpy as np,math
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_next.processing_llava_next import LlavaNextProcessor
from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.pixtral.image_processing_pil_pixtral import PixtralImageProcessorPil
from transformers.models.idefics2.image_processing_pil_idefics2 import Idefics2ImageProcessorPil
from PIL import Image
random.seed(7)
sizes=[(448,280),(224,224),(448,448),(336,336),(672,672),(1024,768),(768,1024),(1920,1080),(1080,1920),(640,480),(100,100),(50,500),(1000,60),(3000,2000),(333,777),(1600,1600),(2480,3508),(28,28),(364,364),(365,365),(4000,300)]
sizes+= [(random.randint(30,3000),random.randint(30,3000)) for _ in range(19)]
class Fake: pass
out={}
def proc(cls,**k):
    p=cls.__new__(cls)
    for a,b in k.items(): setattr(p,a,b)
    return p
ln=proc(LlavaNextProcessor,image_processor=LlavaNextImageProcessorPil(image_grid_pinpoints=[[336,672],[672,336],[672,672],[1008,336],[336,1008]]),patch_size=14,num_additional_image_tokens=1,vision_feature_select_strategy='default')
out['llava-next']=[ln._get_number_of_features(h,w,336,336)-1 for w,h in sizes]
pins=[[384*i,384*j] for i in range(1,7) for j in range(1,7)]
ov=proc(LlavaOnevisionProcessor,image_processor=LlavaOnevisionImageProcessorPil(image_grid_pinpoints=pins),num_image_tokens=729,vision_feature_select_strategy='full',vision_aspect_ratio='anyres_max_9')
out['llava-onevision']=[ov._get_number_of_features(h,w,384,384) for w,h in sizes]
q=Qwen2VLImageProcessorPil(min_pixels=56*56,max_pixels=28*28*16384)
res=[]
for w,h in sizes:
    g=q(images=Image.new('RGB',(w,h)),return_tensors='np')['image_grid_thw'][0]; res.append(int(g[0]*g[1]*g[2]//4))
out['qwen2-vl']=res
def idf(p,per):
    r=[]
    for w,h in sizes:
        x=p(images=Image.new('RGB',(w,h)),return_tensors='np'); r.append(int(x['pixel_values'].shape[1])*per)
    return r
out['idefics3']=idf(Idefics3ImageProcessorPil(size={'longest_edge':1456},max_image_size={'longest_edge':364}),169)
out['smolvlm2']=idf(SmolVLMImageProcessorPil(size={'longest_edge':1536},max_image_size={'longest_edge':384}),81)
out['smolvlm2-500m']=idf(SmolVLMImageProcessorPil(size={'longest_edge':2048},max_image_size={'longest_edge':512}),64)
g=GotOcr2ImageProcessorPil(size={'height':448,'width':448},crop_to_patches=True,min_patches=1,max_patches=12)
res=[]
for w,h in sizes: res.append(int(g(images=Image.new('RGB',(w,h)),return_tensors='np')['pixel_values'].shape[0])*256)
out['internvl2']=res
px=PixtralImageProcessorPil(size={'longest_edge':1024},patch_size={'height':16,'width':16})
res=[]
for w,h in sizes:
    s=px(images=Image.new('RGB',(w,h)),return_tensors='np')['image_sizes'][0]; res.append((int(s[1])//16+1)*(int(s[0])//16))
out['pixtral']=res
i2=Idefics2ImageProcessorPil(do_image_splitting=True)
out['idefics2']=[int(i2(images=Image.new('RGB',(w,h)),return_tensors='np')['pixel_values'].shape[1])*64 for w,h in sizes]
json.dump({'made_with':'transformers 5.23.0 (Pil image processors), Python 3.11; tests/data/tokens_oracle.py','sizes':sizes,'visual_tokens':out},open('tests/data/tokens_oracle.json','w'))
